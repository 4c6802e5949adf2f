# 1,000,000 lines, every tenth on stderr
FROM deployer-base
CMD ["/bin/sh", "-c", "awk 'BEGIN{for(i=1;i<=1000000;i++){ if(i%10==0) print \"err line \" i > \"/dev/stderr\"; else print \"out line \" i \" the quick brown fox jumps over the lazy dog\"}}'; echo done; exec sleep 100000"]
