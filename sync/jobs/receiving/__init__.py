"""What providers tell us by themselves: calls, their subscriptions, open streams."""
