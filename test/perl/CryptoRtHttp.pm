# CryptoRtHttp.pm: the HTTP daemon in the tests.
#
#   my $http = CryptoRtHttp->start(redis => $redis, node => $node, args => ['--rate', 0]);
#   my $answer = $http->get('/healthz');          # {status, headers, content} as HTTP::Tiny has them
#   my $json = $http->json('/api/v1/crypto/BTC/price');
#   my $socket = $http->connect; print $socket "GET / HTTP/1.1\r\n..."; 
package CryptoRtHttp;

use strict;
use warnings;
use CryptoRt;
use HTTP::Tiny;
use IO::Socket::INET;
use JSON::PP;
use PostgreSQL::Test::Utils;
use Test::More;
our @ISA = ('CryptoRt::Program');

sub start
{
	my ($class, %opt) = @_;
	my $folder = File::Temp::tempdir(CLEANUP => 1);
	my $self = bless { folder => $folder, owner => $$, opt => \%opt, http => HTTP::Tiny->new(timeout => 20), port => 0 }, $class;

	$self->launch;
	return $self;
}

# The command line.
sub command
{
	my ($self) = @_;
	my %opt = %{ $self->{opt} };
	my $program = $opt{program} // $ENV{CRYPTO_RT_HTTP} // "$CryptoRt::top/build/crypto_rt_http";

	return ($program, '--listen' => "127.0.0.1:$self->{port}", '--port-file' => "$self->{folder}/port",
		'--redis' => $opt{redis} ? $opt{redis}->url : '',
		'--database' => $opt{node} ? $opt{node}->connstr('postgres') : '',
		@{ $opt{args} // [] });
}

sub launch
{
	my ($self) = @_;
	my $portfile = "$self->{folder}/port";

	unlink $portfile;
	$self->{pid} = CryptoRt::Program::spawn($self->logfile, $self->command);
	CryptoRt::wait_for(sub { -s $portfile }) or die "the daemon did not start: " . $self->log;
	($self->{port}) = slurp_file($portfile) =~ /(\d+)/;
	return;
}

sub logfile { return "$_[0]{folder}/log" }
sub log { return slurp_file($_[0]->logfile) }
sub url { my ($self, $path) = @_; return ($self->{opt}{tls} ? 'https' : 'http') . "://127.0.0.1:$self->{port}" . ($path // '') }

sub request
{
	my ($self, $method, $path, %headers) = @_;
	return $self->{http}->request($method, $self->url($path), { headers => \%headers });
}

sub get { my ($self, @rest) = @_; return $self->request('GET', @rest) }

# The body of a 200, decoded.
sub json
{
	my ($self, $path) = @_;
	my $answer = $self->get($path);

	return unless $answer->{status} == 200;
	return JSON::PP->new->utf8->allow_bignum->decode($answer->{content});
}

# Wait until it is ready.
sub ready
{
	my ($self, $seconds) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return eventually(sub { $self->get('/readyz')->{status} == 200 }, 'the daemon is ready', $seconds) || diag $self->log;
}

# A bare connection.
sub connect
{
	my ($self) = @_;
	return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $self->{port}, Timeout => 5) // die "cannot connect: $!";
}

1;
