// Package logformat parses the formats of httpd's logs: those of LogFormat and
// CustomLog by Parse, those of ErrorLogFormat by ParseError. It knows what the
// %-directives are called, not what they stand for in a request.
//
//	%h %l "%r" %>s %!200,304{Referer}i
//	~~~~~      ~~~ | |       |       |
//	                 statuses argument directive
package logformat
