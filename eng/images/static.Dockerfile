# Quick answers from memory at /, and at /page 32 KB that are compressed for whoever takes that.
FROM deployer-base
COPY libraries/ /
COPY nginx /bin/nginx
RUN mkdir -p /run /www /var/lib/nginx /var/log/nginx /etc/nginx && echo 'root:x:0:' >/etc/group && \
  echo 'daemon off; user root; error_log stderr; events { worker_connections 4096; } http { access_log off; default_type text/plain; keepalive_requests 1000000; gzip on; gzip_types text/plain; gzip_comp_level 6; server { listen 8080; root /www; location = / { return 200 "hello from static\n"; } } }' >/etc/nginx/nginx.conf && \
  i=0; while [ $i -lt 800 ]; do i=$((i+1)); echo "$i,order $((i * 7919 % 1000)),customer $((i * 104729 % 977)),total $((i * 31 % 4999)).00"; done >/www/page
EXPOSE 8080
HEALTHCHECK --interval=1s --timeout=10s --start-period=2s --retries=3 CMD wget -q -O /dev/null http://127.0.0.1:8080/
CMD ["/bin/nginx", "-c", "/etc/nginx/nginx.conf"]
