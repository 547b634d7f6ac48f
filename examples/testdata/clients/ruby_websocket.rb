# ruby-websocket: one version of the protocol, against host, port and path given.
# usage: ruby ruby_websocket.rb VERSION HOST PORT PATH [SUBPROTOCOL]
require "websocket"
require "socket"
require "timeout"

version, host, port, path, protocol = ARGV
version = version.to_i
handshake = WebSocket::Handshake::Client.new(
  { url: "ws://#{host}:#{port}#{path}", version: version, origin: "http://#{host}:#{port}", protocols: protocol && [protocol] }.compact
)
Timeout.timeout(20) do
  socket = TCPSocket.new(host, port)
  socket.write(handshake.to_s)
  answer = socket.readpartial(1)
  answer << socket.readpartial(1) until answer.end_with?("\r\n\r\n")
  answer << socket.read(16) if version == 76 # the challenge's answer
  handshake << answer
  raise "handshake refused: #{handshake.error}" unless handshake.valid?
  frames = WebSocket::Frame::Incoming::Client.new(version: handshake.version)
  receive = lambda do
    loop do
      frame = frames.next
      return frame if frame
      frames << socket.readpartial(65536)
    end
  end
  if protocol
    got = 3.times.map { receive.call.to_s.to_i }
    raise "counts #{got}" unless got == [got[0], got[0] + 1, got[0] + 2]
    # The server closes when it is told to.
    socket.write(WebSocket::Frame::Outgoing::Client.new(version: handshake.version, data: "closeme\n", type: :text).to_s)
    rest = socket.read
    raise "the server ended with #{rest.inspect}" unless rest.b.end_with?("\x88\x00".b)
    puts "ok"
    exit
  else
    ["text", "x" * 125, "y" * 126, "z" * 65536, "w" * 100 * 1024].each do |message|
      socket.write(WebSocket::Frame::Outgoing::Client.new(version: handshake.version, data: message, type: :text).to_s)
      answer = receive.call.to_s
      raise "#{message.length} came back as #{answer.length}" unless answer == message
    end
  end
  close = WebSocket::Frame::Outgoing::Client.new(version: handshake.version, type: :close, code: 1000).to_s
  socket.write(close) unless close.empty?
  socket.close_write
  raise "the server did not end the connection" unless socket.read.is_a?(String)
end
puts "ok"
