FROM deployer-base
CMD ["/bin/sh", "-c", "echo starting; sleep 4; echo 'fatal: lost connection' >&2; exit 1"]
