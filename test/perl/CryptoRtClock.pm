# CryptoRtClock.pm: a clock of the daemon's that the test moves on, so that no wait is long.
#
#   CryptoRtClock::build();
#   my $http = do { local %ENV = (%ENV, CryptoRtClock::environment()); CryptoRtHttp->start(...) };
#   CryptoRtClock::forward(60);
package CryptoRtClock;

use strict;
use warnings;
use File::Temp qw(tempdir);

my $folder;
my $seconds = 0;

# What the daemons are started with.
sub environment
{
	return (LD_PRELOAD => "$folder/clock.so", TEST_CLOCK => "$folder/clock", ASAN_OPTIONS => 'verify_asan_link_order=0');
}

sub build
{
	$folder = tempdir(CLEANUP => 1);
	open my $source, '>', "$folder/clock.c" or die "no clock: $!";
	print $source <<'C';
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
static volatile long *ahead;
__attribute__((constructor)) static void begin(void)
{
	ahead = mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, open(getenv("TEST_CLOCK"), O_RDONLY | O_CLOEXEC), 0);
}
int clock_gettime(clockid_t id, struct timespec *t)
{
	int result = (int) syscall(SYS_clock_gettime, id, t);
	t->tv_sec += ahead != MAP_FAILED && ahead != NULL ? *ahead : 0;
	return result;
}
C
	close $source;
	forward(0);
	system('cc', '-shared', '-fPIC', '-O1', '-o', "$folder/clock.so", "$folder/clock.c") == 0 or die 'cannot build the clock';
	return;
}

sub forward
{
	my ($more) = @_;
	my $file = "$folder/clock";

	$seconds += $more;
	open my $out, -e $file ? '+<' : '>', $file or die "no clock: $!";
	syswrite $out, pack 'q', $seconds;
	close $out;
	return 1;
}

1;
