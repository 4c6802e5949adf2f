FROM deployer-base
CMD ["/bin/does-not-exist"]
