# The same commands for those who type make.
.PHONY: demo test test-all setup bench
setup demo test test-all bench:
	./dev $@
