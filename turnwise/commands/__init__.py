"""What the commands of the command line do; turnwise.cli only parses for them."""
