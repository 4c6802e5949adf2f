FROM deployer-base
CMD ["/bin/sh", "-c", "i=0; while :; do i=$((i+1)); echo \"tick $i\"; [ $((i%5)) = 0 ] && echo \"warn $i\" >&2; sleep 0.2; done"]
