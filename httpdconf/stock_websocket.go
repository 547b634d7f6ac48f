package httpdconf

// stockWebSocketRows are the directives of mod_websocket, its fork's included,
// of mod_websocket_draft76, and of wshttpd alone. It is constant.
var stockWebSocketRows = []directiveInfo{
	{"WebSocketHandler", "mod_websocket.c", argsTwo, orAuthConfig, tierA, "Shared library containing WebSocket implementation followed by function initialization function name"},
	{"WebSocketHandler", "mod_websocket_draft76.c", argsTwo, orAuthConfig, tierA, "Shared library containing WebSocket implementation followed by function initialization function name"},
	{"MaxMessageSize", "mod_websocket.c", argsOne, orAuthConfig, tierA, "Maximum size (in bytes) of a message to accept; default is 33554432 bytes (32 MB)"},
	{"UserConfig", "mod_websocket.c", argsOne, orAuthConfig, tierA, "User configuration file"},
	{"WebSocketMaxMessageSize", "mod_websocket.c", argsOne, orAuthConfig, tierA, "Maximum size (in bytes) of a message to accept; default is 33554432 bytes (32 MB)"},
	{"SupportDraft75", "mod_websocket_draft76.c", argsFlag, orAuthConfig, tierA, "Support older WebSocket protocol version (draft-75)"},
	{"WebSocketOriginCheck", "mod_websocket.c", argsOne, orAuthConfig, tierA, "Specifies whether (and how) the Origin header should be checked during the opening handshake (Off|Same|Trusted). Defaults to Same."},
	{"WebSocketTrustedOrigin", "mod_websocket.c", argsIterate, orAuthConfig, tierA, "Specifies one or more trusted Origins that are accepted during the opening handshake"},
	{"WebSocketAllowReservedStatusCodes", "mod_websocket.c", argsFlag, orAuthConfig, tierA, "Allow or forbid close status codes that are reserved for later versions of the protocol"},
	{"WebSocketLogUpgrade", "mod_websocket.c", argsFlag, serverConf, tierA, "On if a WebSocket is logged when it opens too, Off if at its end only"},
	{"WebSocketEventLoops", "mod_websocket.c", argsOne, serverConf, tierA, "Number of event loops, each on a thread of its own; by default one for each processor but one"},
}
