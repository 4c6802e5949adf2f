FROM deployer-base
CMD ["/bin/sh", "-c", "echo starting; echo 'fatal: DATABASE_URL is not set' >&2; sleep 0.2; exit 3"]
