# Protocol::WebSocket: one version of the protocol, against host, port and path given.
# usage: perl protocol_websocket.pl VERSION HOST PORT PATH [SUBPROTOCOL]
use strict;
use warnings;
use IO::Socket::INET;
use Protocol::WebSocket::Client;
use Protocol::WebSocket::Frame;
use Protocol::WebSocket::Handshake::Client;

my ($version, $host, $port, $path, $protocol) = @ARGV;
$SIG{ALRM} = sub { die "no answer in time\n" };
alarm 20;
my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Proto => 'tcp') or die "connect: $!";
my $handshake = Protocol::WebSocket::Handshake::Client->new(
    url => "ws://$host:$port$path", version => $version);
$handshake->req->subprotocol($protocol) if $protocol;
$handshake->req->origin("http://$host:$port");
print {$socket} $handshake->to_string;
my $buffer = '';
until ($handshake->is_done) {
    $socket->sysread(my $bytes, 1) or die "the server ended the connection in the handshake\n";
    $handshake->parse($bytes) or die "handshake refused: " . $handshake->error . "\n";
}
my $frames = Protocol::WebSocket::Frame->new(version => $version, max_payload_size => 0);
sub receive {
    while (1) {
        my $message = $frames->next_bytes;
        return $message if defined $message;
        $socket->sysread(my $bytes, 65536) or die "the server ended the connection\n";
        $frames->append($bytes);
    }
}
sub say_frame { print {$socket} Protocol::WebSocket::Frame->new(version => $version, masked => 1, max_payload_size => 0, @_)->to_bytes; $socket->flush }
if ($protocol) {
    my @got = map { receive() } 1 .. 3;
    die "counts @got\n" unless $got[1] == $got[0] + 1 && $got[2] == $got[1] + 1;
    # The server closes when it is told to: by a frame, in draft-75 by the end of TCP.
    say_frame(buffer => "closeme\n");
    my $rest = '';
    1 while $socket->sysread($rest, 65536, length $rest);
    my %last = ('draft-hixie-75' => qr/\A(\x00\d+\xff)*\z/, 'draft-ietf-hybi-00' => qr/\xff\x00\z/);
    my $want = $last{$version} || qr/\x88\x00\z/;
    die "the server ended with " . unpack('H*', $rest) . "\n" unless $rest =~ $want;
    print "ok\n";
    exit;
} else {
    for my $message ('text', 'x' x 125, 'y' x 126, 'z' x 65536, 'w' x (100 * 1024)) {
        say_frame(buffer => $message);
        my $answer = receive();
        die length($message) . " came back as " . length($answer) . "\n" unless $answer eq $message;
    }
}
say_frame(type => 'close') unless $version eq 'draft-hixie-75';
shutdown $socket, 1;
1 while $socket->sysread(my $rest, 65536);
print "ok\n";
