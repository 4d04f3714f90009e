# The SQL tests, as `make installcheck` runs them against a server: each file of test/sql is one test here.
# No feed answers and no Redis is there; the SQL tests must not mind.

use strict;
use warnings;
use CryptoRt;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = CryptoRt::server('regress', create => 0);
my @names = sort map { m{([^/]+)\.sql$} } glob("$CryptoRt::top/test/sql/*.sql");

# the way of a user: in his environment, at the top of the tree
local $ENV{PGHOST} = $node->host;
local $ENV{PGPORT} = $node->port;
my $output = qx{cd '$CryptoRt::top' && make --no-print-directory installcheck 2>&1};
my $status = $? >> 8;

cmp_ok(scalar @names, '>', 0, 'there are SQL tests');
foreach my $name (@names)
{
	# "test name ... ok" up to PostgreSQL 15, "ok 1 - name" from 16 on
	ok($output =~ /^(?:test \Q$name\E +\.\.\. ok\b|ok \d+ +[-+] \Q$name\E\b)/m, "test/sql/$name.sql");
	my $result = "$CryptoRt::top/results/$name.out";
	my @bad = -e $result ? grep { /^(?:not ok|# )/ } split /\n/, slurp_file($result) : ("$result is missing");
	is("@bad", '', "no test in it fails");
}
is($status, 0, 'make installcheck ends well');

if (!Test::More->builder->is_passing)
{
	diag($output);
	my $diffs = "$CryptoRt::top/regression.diffs";
	diag(slurp_file($diffs)) if -e $diffs;
}
$node->stop('fast');
done_testing();
