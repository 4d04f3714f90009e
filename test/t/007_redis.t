# What is in Redis: keys, shapes, lifetimes, messages; and that it heals whatever is done to it.
use strict;
use warnings;
use IO::Select;
use JSON::PP;
use Test::More;
use Time::HiRes qw(time);
use CryptoRt;

my $json = JSON::PP->new->utf8;
my $sim = CryptoRt::Sim->start(coins => 300);
my $redis = CryptoRt::Redis->start;
my $node = server('redis', sim => $sim, redis => $redis, create => 0, conf => <<'CONF');
crypto_rt.tiers = '100:1,200:20,*:60'
crypto_rt.max_requests_per_second = 100
crypto_rt.flush_interval = 100ms
CONF

#
# A subscriber: redis-cli, read line by line
#

open my $messages, '-|', 'redis-cli', '-p', $redis->port, 'subscribe', 'crypto:updates' or die;
my $reader = IO::Select->new($messages);
my $received = '';
my @log;    # all messages so far, decoded

sub receive
{
	while ($reader->can_read(0))
	{
		last unless sysread $messages, $received, 65536, length $received;
	}
	while ($received =~ s/\A(.*)\n//)
	{
		my $line = $1;
		push @log, { %{ $json->decode($line) }, text => $line, at => time() } if $line =~ /^\{/;
	}
	return;
}

# Wait for a message of which $what is true, among those from number $from on.
sub message
{
	my ($from, $what, $seconds) = @_;
	return wait_for(
		sub {
			receive();
			return (grep { $what->($_) } @log[ $from .. $#log ])[0];
		},
		$seconds);
}

END { close $reader if 0; kill 'TERM', $subscriber::pid if $subscriber::pid; }

sub key { return $json->decode($redis->cli('GET', $_[0]) || '{}') }
sub ranked { return join ' ', split /\n/, $redis->cli('ZRANGE', 'crypto:symbols:ranked', 0, -1, 'WITHSCORES') }

# The sorted set as it should be: the coins that are listed and own their symbol.
sub ranked_by_sql
{
	return $node->safe_psql('postgres', <<'SQL');
SELECT string_agg(q.symbol || ' ' || q.rank, ' ' ORDER BY q.rank, q.symbol COLLATE "C")
FROM crypto_quotes() q JOIN LATERAL crypto_quote(q.symbol) o ON o.nameid = q.nameid WHERE q.rank > 0
SQL
}

# Redis holds all that the board does.
sub whole
{
	my ($name, $seconds) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	return eventually(
		sub {
			my $n = split(/\n/, $redis->cli('KEYS', 'crypto:quote:*') // '');
			return $n > 280 && $n * 2 == split(/ /, ranked()) && ranked() eq ranked_by_sql();
		},
		$name, $seconds // 12);
}
