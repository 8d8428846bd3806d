"""What has to be looked after all the time, and who is told when something is wrong."""
