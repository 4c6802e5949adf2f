FROM deployer-base
ENV VERSION=patient PORT=8080
EXPOSE 8080
# where twenty containers start at once, a probe or two in a row does not get through
HEALTHCHECK --interval=1s --timeout=10s --start-period=2s --retries=30 CMD wget -q -O /dev/null http://127.0.0.1:$PORT/healthz
CMD ["/bin/web"]
