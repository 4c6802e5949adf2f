FROM deployer-base
CMD ["/bin/sh", "-c", "trap 'echo ignoring TERM' TERM; echo up; while :; do sleep 1; done"]
