"""What `./dev` runs: set-up of a checkout, the demo, the quality gates. Standard library only."""
