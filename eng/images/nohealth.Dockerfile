FROM deployer-base
ENV VERSION=nohealth-v1 PORT=8080
EXPOSE 8080
CMD ["/bin/web"]
