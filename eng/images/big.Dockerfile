FROM deployer-base
COPY layer1 /layer1
COPY layer2 /layer2
COPY layer3 /layer3
COPY layer4 /layer4
COPY layer5 /layer5
COPY layer6 /layer6
CMD ["/bin/sleep", "100000"]
