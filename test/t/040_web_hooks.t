# crypto-rt-react: its formats, and its hooks in Chromium before a daemon that fails in every way.
use strict;
use warnings;
use Test::More;
use CryptoRt;

node_tests("$CryptoRt::top/test/web/format.test.mjs");
node_tests("$CryptoRt::top/test/web/hooks.test.mjs");
done_testing();
