FROM deployer-base
ARG VERSION
ENV VERSION=$VERSION PORT=8080
LABEL org.opencontainers.image.version=$VERSION
# a layer of its own for each version, so that an update has something to pull
RUN echo "$VERSION" >/etc/version
EXPOSE 8080
HEALTHCHECK --interval=1s --timeout=10s --start-period=2s --retries=3 CMD wget -q -O /dev/null http://127.0.0.1:$PORT/healthz
CMD ["/bin/web"]
