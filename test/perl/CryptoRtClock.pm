# CryptoRtClock.pm: a clock of the programs' that the test sets, so that no wait is long and no time out of reach.
#
#   CryptoRtClock::build();
#   my $http = CryptoRtClock::with(sub { CryptoRtHttp->start(...) });    # and what that starts
#   CryptoRtClock::forward(60);                                         # all its clocks
#   CryptoRtClock::wall(-3600);                                         # what people call time: an hour ago
package CryptoRtClock;

use strict;
use warnings;
use File::Temp qw(tempdir);

my $folder;
my ($forward, $ahead, $stopped) = (0, 0, 0);

# What programs are started with, to have this clock.
sub environment
{
	return (LD_PRELOAD => "$folder/clock.so", TEST_CLOCK => "$folder/clock", ASAN_OPTIONS => 'verify_asan_link_order=0');
}

# Call $what, whose programs have it.
sub with
{
	my ($what) = @_;
	local %ENV = (%ENV, environment());
	return $what->();
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
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static volatile struct { long forward, ahead, stopped; } *set;
__attribute__((constructor)) static void begin(void)
{
	void *memory = mmap(NULL, sizeof(*set), PROT_READ, MAP_SHARED, open(getenv("TEST_CLOCK"), O_RDONLY | O_CLOEXEC), 0);
	set = memory != MAP_FAILED ? memory : NULL;
}
int clock_gettime(clockid_t id, struct timespec *t)
{
	int result = (int) syscall(SYS_clock_gettime, id, t);
	if (set == NULL)
		return result;
	if (id == CLOCK_REALTIME)
	{
		long stopped = set->stopped;
		if (stopped != 0)
			*t = (struct timespec){stopped / 1000000, stopped % 1000000 * 1000};
		t->tv_sec += set->ahead;
	}
	t->tv_sec += set->forward;
	return result;
}
int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
	struct timespec now;
	(void) zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*t = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
	return 0;
}
time_t time(time_t *t)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	if (t != NULL)
		*t = now.tv_sec;
	return now.tv_sec;
}
C
	close $source;
	set();
	system('cc', '-shared', '-fPIC', '-O1', '-o', "$folder/clock.so", "$folder/clock.c") == 0 or die 'cannot build the clock';
	return;
}

sub set
{
	my $file = "$folder/clock";
	open my $out, -e $file ? '+<' : '>', $file or die "no clock: $!";
	syswrite $out, pack 'qqq', $forward, $ahead, $stopped;
	close $out;
	return 1;
}

# Move all clocks on by so many seconds.
sub forward
{
	$forward += $_[0];
	return set();
}

# The time of day is so many seconds ahead, or stands still at a time (in microseconds).
sub wall
{
	($ahead, $stopped) = ($_[0], $_[1] // 0);
	return set();
}

1;
