"""The commands of `aftersales`. What a command needs is imported when it is given, so that each starts quickly."""
