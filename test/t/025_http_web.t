# The dashboard's files over HTTP, from a folder and compiled in: their headers, what is refused, and a folder that changes.
# The dashboard itself is not needed: the test makes little ones.
use strict;
use warnings;
use Compress::Zlib qw(memGunzip memGzip);
use File::Spec;
use File::Temp qw(tempdir);
use JSON::PP;
use POSIX ();
use Test::More;
use CryptoRt;
use CryptoRtHttp;
use PostgreSQL::Test::Utils;

my $top = $CryptoRt::top;
my $scratch = tempdir(CLEANUP => 1);

sub put
{
	my ($path, $content) = @_;
	open my $file, '>:raw', $path or die "$path: $!";
	print $file $content;
	close $file;
	return;
}

# A folder with these files.
sub folder
{
	my ($name, %file) = @_;
	mkdir "$scratch/$name";
	put("$scratch/$name/$_", $file{$_}) for keys %file;
	return "$scratch/$name";
}

# Run a command; its exit code and what it says.
sub runs
{
	my ($environment, @command) = @_;
	my $pid = open(my $out, '-|') // die "cannot fork: $!";

	if ($pid == 0)
	{
		open STDERR, '>&', \*STDOUT;
		%ENV = (%ENV, %$environment);
		exec 'timeout', 60, @command or POSIX::_exit(127);
	}
	my $said = join '', <$out>;
	close $out;
	return ($? >> 8, $said);
}

# All that one request brings, its path sent as it is.
sub bare
{
	my ($http, $path, $method) = @_;
	my $socket = $http->connect;

	print $socket(($method // 'GET') . " $path HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
	local $/;
	return scalar <$socket> // '';
}

#
# From a folder
#

my $script = join "\n", map { "console.log($_)" } 1 .. 500;
my $web = folder('web',
	'index.html' => "<!doctype html><title>little</title>\n",
	'main-AB12CD34.js' => $script, 'main-AB12CD34.js.gz' => memGzip($script),
	'style-00ZZ99AA.css' => 'body{}', 'favicon.svg' => '<svg/>', 'manifest.webmanifest' => '{}',
	'font-AAAAAAAA.woff2' => "\0\1\2", 'empty.txt' => '', 'data' => 'data',
	'changed.js' => 'new();', 'changed.js.gz' => memGzip('old();'), 'lonely.js.gz' => memGzip('lonely();'), 'broken.js' => 'broken();', 'broken.js.gz' => 'no gzip',
	'lower-ab12cd34.js' => '1', 'long-AB12CD345.js' => '1', 'two-parts-AB12CD34.js' => '1', 'metrics' => 'a file',
	'.hidden' => 'hidden', 'odd name.js' => 'odd');
mkdir "$web/sub";
put("$web/sub/inner.js", 'inner');
POSIX::mkfifo("$web/pipe.js", 0600) or die "no pipe: $!";

my $http = CryptoRtHttp->start(args => [ '--rate', 0, '--web-dir', $web ]);
like($http->log, qr/left out changed\.js\.gz, which is not the file of that name as gzip/, 'a NAME.gz of an older NAME is left out, and the log says so');
like($http->log, qr/left out lonely\.js\.gz/, 'so is one without NAME');
like($http->log, qr/left out broken\.js\.gz/, 'and one that is no gzip');
like($http->log, qr/left out 3 of what is in \Q$web\E: only files are served whose names are made of letters, digits and \. _ -/, 'and what cannot be served');

sub file_is
{
	my ($path, $content, $name, %header) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $answer = $http->get($path);
	is($answer->{status}, 200, "$name: 200");
	is($answer->{content}, $content, "$name: its bytes");
	is($answer->{headers}{$_}, $header{$_}, "$name: $_") for sort keys %header;
	is($answer->{headers}{'x-content-type-options'}, 'nosniff', "$name: nosniff");
	is($answer->{headers}{'referrer-policy'}, 'no-referrer', "$name: no-referrer");
	like($answer->{headers}{etag}, qr/^"[^"]+"$/, "$name: a strong ETag");
	my $again = $http->get($path, 'If-None-Match' => $answer->{headers}{etag});
	is($again->{status}, 304, "$name: 304 for who has it");
	is($again->{content} // '', '', "$name: without a body");
	is($again->{headers}{'cache-control'}, $answer->{headers}{'cache-control'}, "$name: with the same Cache-Control");
	my $head = $http->request('HEAD', $path);
	is($head->{status}, 200, "$name: HEAD");
	is($head->{headers}{'content-length'}, length $content, "$name: HEAD: the length");
	return $answer;
}

my $for_ever = 'public, max-age=31536000, immutable';
my $an_hour = 'public, max-age=3600';
my $policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; font-src 'self'; manifest-src 'self'; "
  . "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
my @html = ('content-type' => 'text/html; charset=utf-8', 'cache-control' => 'no-cache', 'content-security-policy' => $policy,
	'cross-origin-opener-policy' => 'same-origin', vary => undef);

file_is('/', "<!doctype html><title>little</title>\n", 'the page', @html);
file_is('/?coin=1', "<!doctype html><title>little</title>\n", 'the page, with a query', @html);
file_is('/index.html', "<!doctype html><title>little</title>\n", 'the page by its name', @html);
my $plain = file_is('/main-AB12CD34.js', $script, 'a script', 'content-type' => 'text/javascript; charset=utf-8', 'cache-control' => $for_ever,
	vary => 'Accept-Encoding', 'content-encoding' => undef, 'content-security-policy' => undef);
file_is('/style-00ZZ99AA.css', 'body{}', 'a style', 'content-type' => 'text/css; charset=utf-8', 'cache-control' => $for_ever, vary => undef);
file_is('/favicon.svg', '<svg/>', 'the icon', 'content-type' => 'image/svg+xml', 'cache-control' => $an_hour);
file_is('/manifest.webmanifest', '{}', 'the manifest', 'content-type' => 'application/manifest+json', 'cache-control' => $an_hour);
file_is('/font-AAAAAAAA.woff2', "\0\1\2", 'a font', 'content-type' => 'font/woff2', 'cache-control' => $for_ever);
file_is('/empty.txt', '', 'an empty file', 'content-type' => 'text/plain; charset=utf-8', 'cache-control' => $an_hour);
file_is('/data', 'data', 'a file without an extension', 'content-type' => 'application/octet-stream', 'cache-control' => $an_hour);
file_is('/two-parts-AB12CD34.js', '1', 'a hash behind a name with a dash', 'cache-control' => $for_ever);
file_is('/lower-ab12cd34.js', '1', 'no hash: lower case', 'cache-control' => $an_hour);
file_is('/long-AB12CD345.js', '1', 'no hash: too long', 'cache-control' => $an_hour);

my $packed = $http->get('/main-AB12CD34.js', 'Accept-Encoding' => 'br, gzip');
is($packed->{headers}{'content-encoding'}, 'gzip', 'gzip: for who takes it');
is(memGunzip($packed->{content}), $script, 'gzip: the same');
is($packed->{headers}{vary}, 'Accept-Encoding', 'gzip: Vary');
isnt($packed->{headers}{etag}, $plain->{headers}{etag}, 'gzip: another ETag');
is($http->get('/main-AB12CD34.js', 'Accept-Encoding' => 'gzip', 'If-None-Match' => $packed->{headers}{etag})->{status}, 304, 'gzip: 304');
is($http->get('/main-AB12CD34.js', 'Accept-Encoding' => 'gzip', 'If-None-Match' => $plain->{headers}{etag})->{status}, 200, 'gzip: not for the other ETag');
is($http->get('/main-AB12CD34.js', 'Accept-Encoding' => 'gzip;q=0')->{content}, $script, 'gzip: not for who refuses it');
is($http->get("/$_.js", 'Accept-Encoding' => 'gzip')->{headers}{'content-encoding'}, undef, "gzip: $_.js has none of its own") for qw(changed broken);
is($http->get('/changed.js', 'Accept-Encoding' => 'gzip')->{content}, 'new();', 'gzip: never an older file');

for my $method (qw(POST PUT DELETE))
{
	my $answer = $http->request($method, '/favicon.svg');
	is($answer->{status}, 405, "$method: 405");
	is($answer->{headers}{allow}, 'GET, HEAD, OPTIONS', "$method: Allow");
}
is($http->request('OPTIONS', '/')->{status}, 204, 'OPTIONS');

for my $path (qw(/nothing.js /main-AB12CD34.js.gz /changed.js.gz /lonely.js /lonely.js.gz /.hidden /sub /sub/ /sub/inner.js /inner.js /pipe.js /odd%20name.js /odd /favicon.svg/
	/FAVICON.SVG /favicon /x/favicon.svg /api/favicon.svg))
{
	my $answer = $http->get($path);
	is($answer->{status}, 404, "$path: 404");
	like($answer->{content}, qr/^\{"error":"there is no /, "$path: as JSON");
}
like($http->get('/metrics')->{content}, qr/^# HELP/, 'a file never stands before an endpoint');
is(decode_json($http->get('/nothing')->{content})->{hint}, 'the endpoints are listed at /api', 'who looks for something is told where');
like($http->get('/api')->{content}, qr{href="/api/v1/crypto/BTC/price"}, 'and there they are');
unlike($http->get('/api')->{content}, qr/make web/, 'without a word of what is not missing');

#
# No way out of it
#

put("$scratch/secret.txt", 'secret');
my @ways = qw(/../secret.txt /..%2fsecret.txt /..%2Fsecret.txt /%2e%2e/secret.txt /%2e%2e%2fsecret.txt /%2E%2E%5Csecret.txt /..%5csecret.txt /..\secret.txt
	/%252e%252e/secret.txt /%252e%252e%252fsecret.txt /..;/secret.txt /....//secret.txt /.//../secret.txt /sub/../../secret.txt /index.html/../../secret.txt
	/index.html/../secret.txt /%c0%ae%c0%ae/secret.txt /%c0%ae%c0%ae%c0%afsecret.txt /%u002e%u002e/secret.txt /..%00/secret.txt /index.html%00.js
	/../etc/passwd /..%2fetc%2fpasswd /%2e%2e/%2e%2e/%2e%2e/%2e%2e/etc/passwd /etc/passwd //etc/passwd /%2fetc%2fpasswd ///etc/passwd file:///etc/passwd /sub/inner.js
	/./sub/inner.js /../web/index.html http://test/../etc/passwd ../etc/passwd);
push @ways, "$scratch/secret.txt", '/' . '../' x 20 . 'etc/passwd', '/' . '%2e%2e%2f' x 20 . 'etc/passwd';
for my $way (@ways)
{
	my $answer = bare($http, $way);
	like($answer, qr/^HTTP\/1\.1 40[04] /, "$way: 404 or 400");
	unlike($answer, qr/secret\r?\n?$|root:|inner$/, "$way: and nothing of it");
}

# What is asked for comes from memory: without the folder it is all there.
rename $web, "$scratch/away" or die $!;
file_is('/favicon.svg', '<svg/>', 'without the folder', 'content-type' => 'image/svg+xml');
rename "$scratch/away", $web or die $!;

my $metrics = $http->get('/metrics')->{content};
like($metrics, qr/^crypto_rt_http_requests_total\{route="\/\{file\}",method="GET",status="200"\} \d+$/m, 'metrics: one route for all files');
unlike($metrics, qr/favicon|AB12CD34/, 'metrics: no file by its name');

#
# A folder that changes
#

# Send SIGHUP and wait for what the log says.
sub hup
{
	my ($said, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my $before = length $http->log;
	kill 'HUP', $http->pid;
	return eventually(sub { substr($http->log, $before) =~ $said }, $name) || diag $http->log;
}

my $old = $http->get('/')->{headers}{etag};
put("$web/index.html", 'the second');
put("$web/extra.js", 'extra');
unlink "$web/data";
is($http->get('/', 'If-None-Match' => $old)->{status}, 304, 'the folder has changed, and nobody was told');
is($http->get('/extra.js')->{status}, 404, 'what is new in it is not there');
hup(qr/read the dashboard in \Q$web\E anew/, 'SIGHUP: it is read anew');
is($http->get('/')->{content}, 'the second', 'SIGHUP: the page is new');
isnt($http->get('/')->{headers}{etag}, $old, 'SIGHUP: so is its ETag');
is($http->get('/', 'If-None-Match' => $old)->{status}, 200, 'SIGHUP: who has the old one gets the new one');
is($http->get('/extra.js')->{content}, 'extra', 'SIGHUP: what is new is there');
is($http->get('/data')->{status}, 404, 'SIGHUP: what is gone is not');

rename "$web/index.html", "$web/other.html" or die $!;
hup(qr/the dashboard stays as it was: the folder \Q$web\E cannot be served \(--web-dir\): it has no index\.html/, 'SIGHUP without index.html: refused');
is($http->get('/')->{content}, 'the second', 'and all stays');
is($http->get('/other.html')->{status}, 404, 'all of it');
rename "$web/other.html", "$web/index.html" or die $!;

put("$web/large.bin", '');
truncate "$web/large.bin", 33 << 20 or die $!;
hup(qr/stays as it was: .* it holds more than 500 files or 33554432 bytes/, 'SIGHUP with too large a file: refused');
truncate "$web/large.bin", 1 << 20 or die $!;
hup(qr/read the dashboard/, 'a large one is taken');
is(length $http->get('/large.bin')->{content}, 1 << 20, 'and comes whole');
unlink "$web/large.bin";
put("$web/many$_", $_) for 1 .. 500;
hup(qr/stays as it was: .* it holds more than 500 files/, 'SIGHUP with too many files: refused');
unlink map { "$web/many$_" } 1 .. 500;
SKIP:
{
	skip 'root may read everything', 1 if $> == 0;
	put("$web/closed.js", '');
	chmod 0, "$web/closed.js";
	hup(qr/stays as it was: .* could not open closed\.js: Permission denied/, 'SIGHUP with a file that cannot be read: refused');
	unlink "$web/closed.js";
}
rename $web, "$scratch/away" or die $!;
hup(qr/stays as it was: .* could not open it: No such file or directory/, 'SIGHUP without the folder: refused');
rename "$scratch/away", $web or die $!;
hup(qr/read the dashboard/, 'SIGHUP when all is well again');

# Somebody reads slowly while what he reads is replaced: he gets to the end of what he began.
put("$web/large.bin", 'x' x (8 << 20));
hup(qr/read the dashboard/, 'a file of 8 MB');
my $slow = $http->connect;
print $slow "GET /large.bin HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n";
sysread $slow, my $first, 1000;
put("$web/large.bin", 'y' x 100);
hup(qr/read the dashboard/, 'is replaced while it is read');
my $rest = do { local $/; <$slow> };
my ($body) = ($first . $rest) =~ /\r\n\r\n(.*)/s;
is(length $body, 8 << 20, 'and comes to its end');
unlike($body, qr/[^x]/, 'as it was');
is($http->get('/large.bin')->{content}, 'y' x 100, 'the next one gets the new one');
$http->end;

#
# Folders that cannot be used, and other ways to name one
#

my @daemon = ("$top/build/crypto_rt_http", '--listen', '127.0.0.1:0', '--port-file', "$scratch/port", '--redis', '', '--database', '');
for ([ folder('without', 'main.js' => '') => qr/it has no index\.html/ ], [ "$scratch/nowhere" => qr/could not open it: No such file/ ], [ "$scratch/secret.txt" => qr/could not open it: Not a directory/ ])
{
	my ($path, $why) = @$_;
	my ($code, $said) = runs({}, @daemon, '--web-dir', $path);
	is($code, 1, "$path: the daemon does not start");
	like($said, qr/the folder \Q$path\E cannot be served \(--web-dir\): $why/, 'and says why');
}
my ($code, $said) = runs({}, @daemon, '--web-dir', '');
is($code, 2, 'an empty name is wrong');
like($said, qr/--web-dir takes a name/, 'and it is said');

{
	local $ENV{CRYPTO_RT_HTTP_WEB_DIR} = $web;
	my $told = CryptoRtHttp->start(args => [ '--cors-origin', 'https://a.example' ]);
	is($told->get('/')->{content}, 'the second', 'the variable names a folder');
	my $answer = $told->get('/main-AB12CD34.js', Origin => 'https://a.example', 'Accept-Encoding' => 'gzip');
	is(memGunzip($answer->{content}), $script, 'a reply to one origin');
	is($answer->{headers}{'access-control-allow-origin'}, 'https://a.example', 'says so');
	$told->end;
}

#
# Compiled in
#

my $built = folder('built', 'index.html' => 'compiled in', 'main-AB12CD34.js' => $script, 'main-AB12CD34.js.gz' => memGzip($script), 'empty.txt' => '', 'bytes.bin' => join '', map { chr } 0 .. 255);

sub embed { my ($folder, $out) = @_; return runs({}, "$top/src/web/embed", $folder, "$scratch/$out.c") }

is((embed($built, 'with'))[0], 0, 'embed: a folder');
is((embed("$scratch/nowhere", 'none'))[0], 0, 'embed: without the folder');
my $table = slurp_file("$scratch/with.c");
my $inode = (stat "$scratch/with.c")[1];
embed($built, 'with');
is((stat "$scratch/with.c")[1], $inode, 'embed: nothing is written when nothing has changed');
put("$built/index.html", 'compiled in!');
embed($built, 'with');
isnt(slurp_file("$scratch/with.c"), $table, 'embed: a file of the same name that has changed changes what is written');
put("$built/odd name", '');
($code, $said) = embed($built, 'with');
is($code, 1, 'embed: a name that cannot be served is refused');
like($said, qr/odd name cannot be served/, 'embed: and told');
unlink "$built/odd name";

# The daemon with each of the two.
my $sources = join ' ', map { File::Spec->rel2abs($_) } glob "$top/src/http/*.c $top/src/core/*.c";
my @libraries = (qw(libmicrohttpd hiredis json-c gnutls libpq zlib), (runs({}, qw(pkg-config --exists libjwt-gnutls)))[0] == 0 ? 'libjwt-gnutls' : 'libjwt');
my ($flags) = (runs({}, qw(pkg-config --cflags), @libraries))[1] =~ /(.*)/;
my ($libraries) = (runs({}, qw(pkg-config --libs), @libraries))[1] =~ /(.*)/;
mkdir "$scratch/objects";
($code, $said) = runs({}, 'sh', '-c', "cd $scratch/objects && cc -std=gnu11 -D_GNU_SOURCE -O0 $flags -c $sources");
is($code, 0, 'the daemon is compiled') or diag $said;
for my $of (qw(with none))
{
	for my $compiler (qw(clang cc))
	{
		($code, $said) = runs({}, 'sh', '-c', "$compiler -std=gnu11 -Wall -Wextra -Werror -I$top/build -c -o $scratch/$of.o $scratch/$of.c");
		is($code, 0, "$of: $compiler takes it") or diag $said;
	}
	($code, $said) = runs({}, 'sh', '-c', "cc -o $scratch/daemon-$of $scratch/objects/*.o $scratch/$of.o $libraries -lm");
	is($code, 0, "$of: it is linked") or diag $said;
}

$http = CryptoRtHttp->start(program => "$scratch/daemon-with", args => [ '--rate', 0 ]);
file_is('/', 'compiled in!', 'compiled in: the page', @html);
file_is('/main-AB12CD34.js', $script, 'compiled in: a script', 'cache-control' => $for_ever, vary => 'Accept-Encoding');
file_is('/empty.txt', '', 'compiled in: an empty file');
file_is('/bytes.bin', join('', map { chr } 0 .. 255), 'compiled in: all bytes', 'content-type' => 'application/octet-stream');
is(memGunzip($http->get('/main-AB12CD34.js', 'Accept-Encoding' => 'gzip')->{content}), $script, 'compiled in: gzip');
is($http->get('/main-AB12CD34.js.gz')->{status}, 404, 'compiled in: NAME.gz is no file');
hup(qr/there is no certificate and no dashboard to read anew/, 'compiled in: SIGHUP has nothing to read');
$http->end;
$http = CryptoRtHttp->start(program => "$scratch/daemon-with", args => [ '--web-dir', $web ]);
is($http->get('/')->{content}, 'the second', 'a folder takes the place of what is compiled in');
is($http->get('/bytes.bin')->{status}, 404, 'of all of it');
$http->end;

$http = CryptoRtHttp->start(program => "$scratch/daemon-none");
my $answer = $http->get('/');
is($answer->{status}, 200, 'without the dashboard: a page');
like($answer->{content}, qr/make web/, 'which says how to build it');
like($answer->{content}, qr{<a href="/api/v1/crypto/BTC/price">/api/v1/crypto/\{symbol\}/price</a>}, 'and what else there is');
is($answer->{headers}{'content-security-policy'}, $policy, 'under the same policy');
is($http->get('/main-AB12CD34.js')->{status}, 404, 'and no files');
$http->end;

#
# Where it cannot be built
#

mkdir "$scratch/$_" for qw(tree tree/src tree/src/web tree/src/web/page tree/src/web/react tree/src/web/example bin);
system('cp', "$top/src/web/build", "$top/src/web/build.mjs", "$top/src/web/package-lock.json", "$scratch/tree/src/web") == 0 or die 'no copy';
put("$scratch/tree/crypto_rt.control", '');
symlink((runs({}, 'sh', '-c', "command -v $_"))[1] =~ s/\n//r, "$scratch/bin/$_") for qw(bash sh env dirname find mkdir touch rm timeout);

sub builds { my ($purpose) = @_; return runs({ PATH => "$scratch/bin" }, "$scratch/tree/src/web/build", $purpose) }

# A program there, which does this.
sub program
{
	my ($name, $does) = @_;
	put("$scratch/bin/$name", "#!/bin/sh\n$does\n");
	chmod 0755, "$scratch/bin/$name";
	return;
}

sub gives_up
{
	my ($why, $name) = @_;
	local $Test::Builder::Level = $Test::Builder::Level + 1;
	my ($made, $says) = builds('make');
	is($made, 0, "$name: make goes on");
	like($says, qr/^the dashboard is not built: $why\nthe daemon serves a plain page in its place; .*\n\z/m, "$name: and says so");
	is((builds('web'))[0], 1, "$name: make web fails");
	is((builds('test'))[0], 1, "$name: make test fails");
	ok(!-e "$scratch/tree/build/web.make", "$name: there is no stamp");
	return;
}

gives_up(qr/it needs Node\.js 18 or newer and npm.*/, 'without Node.js');
program('node', 'case $1 in -p) echo 16;; --version) echo v16.1.0;; *) mkdir -p ../../build/web; echo built > ../../build/web/index.html;; esac');
program('npm', 'echo no network; exit 1');
gives_up(qr/it needs Node\.js 18 or newer, and this is v16\.1\.0/, 'with an old one');
program('node', 'case $1 in -p) echo 18;; *) mkdir -p ../../build/web; echo built > ../../build/web/index.html;; esac');
gives_up(qr/its packages could not be installed \(npm ci\)/, 'without a network');
like((builds('make'))[1], qr/could not be installed a moment ago/, 'which make does not try again at once');
program('npm', "echo \"\$*\" >> $scratch/npm.log; mkdir -p node_modules/typescript; touch node_modules/.package-lock.json");
is((builds('web'))[0], 0, 'with a network: make web builds it');
like(slurp_file("$scratch/npm.log"), qr/^ci .*--omit=dev$/m, 'from the locked packages, without those for the tests');
ok(-e "$scratch/tree/build/web.make", 'and there is a stamp');
is((builds('test'))[0], 0, 'make test builds it');
ok(-e "$scratch/tree/build/web.test", 'with a stamp of its own');
is(scalar(() = slurp_file("$scratch/npm.log") =~ /^ci/mg), 1, 'packages that are there are not installed again');
program('node', 'case $1 in -p) echo 18;; *) echo broken; exit 1;; esac');
is((builds($_))[1], '', "what is built is not built again: $_") for qw(make web test);
put("$scratch/tree/src/web/page/new.ts", '');
utime time + 10, time + 10, "$scratch/tree/src/web/page/new.ts";
($code, $said) = builds('make');
is($code, 0, 'a page that cannot be built: make goes on');
like($said, qr/node build\.mjs failed\nthe daemon has it as it was built before\n/, 'with the one from before');

done_testing();
