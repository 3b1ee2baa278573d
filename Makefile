# The same commands for those who type make.
.PHONY: demo test test-all setup
setup demo test test-all:
	./dev $@
