"""What people ask for inside a tool: tasks made of messages, and what is done to them there."""
