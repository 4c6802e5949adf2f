# The sample app: one page that says which version serves it.
FROM deployer-base
ARG VERSION
ENV VERSION=$VERSION PORT=8080 DRAIN=0
LABEL org.opencontainers.image.version=$VERSION
RUN mkdir -p /www && printf '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Hello</title><body style="font:1.25rem/1.6 system-ui,sans-serif;max-width:36rem;margin:15vh auto;padding:0 1rem"><h1>Hello from %s</h1><p>This container was deployed by Deployer. Deploy <code>hello-web:v2</code> to see it change.</p>\n' "$VERSION" >/www/index.html
EXPOSE 8080
HEALTHCHECK --interval=1s --timeout=10s --start-period=2s --retries=3 CMD wget -q -O /dev/null http://127.0.0.1:$PORT/healthz
CMD ["/bin/web"]
