FROM deployer-base
ENV VERSION=unhealthy FAIL_HEALTH=1 PORT=8080
EXPOSE 8080
HEALTHCHECK --interval=1s --timeout=2s --retries=2 CMD wget -q -O /dev/null http://127.0.0.1:$PORT/healthz
CMD ["/bin/web"]
