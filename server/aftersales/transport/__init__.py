"""The doors: HTTP, server-sent events, WebSocket, and who is asking."""
