# Lines that a reader of the engine's frames gets wrong first: longer than a frame, cut in the middle by the other
# stream, of two-byte letters, and a last one without its end. The letters begin at even bytes: the engine cuts a line
# every 16 KiB, and its json-file log spoils a letter across such a cut before anybody can read it.
FROM deployer-base
CMD ["/bin/sh", "-c", "awk 'BEGIN{for(i=0;i<40000;i++) printf \"%d\", i%10; print \"\"}'; printf 'half '; sleep 0.2; echo 'in between' >&2; sleep 0.2; echo 'and half'; awk 'BEGIN{for(i=0;i<20000;i++) printf \"ä\"; print \"\"}'; printf 'no end'"]
