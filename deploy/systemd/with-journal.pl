# Starts a program with a socket to the journal open, whose number stands in HOLDFAST_JOURNAL_FD. Node has no datagram sockets of the unix kind
# to make one itself, but it can write to one that it has. Perl, because perl-base is on every Debian; nothing of it is left once the program
# runs (docs/adr/0030). A journal that cannot be reached is no reason not to start: lines go to the standard stream then.
use strict;
use warnings;
use Fcntl qw(F_SETFD);
use Socket qw(AF_UNIX SOCK_DGRAM SOCK_NONBLOCK pack_sockaddr_un);

delete $ENV{HOLDFAST_JOURNAL_FD};
my $journal;
# Never waits for a journal that hangs.
if (   socket($journal, AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0)
    && connect($journal, pack_sockaddr_un('/run/systemd/journal/socket'))
    && fcntl($journal, F_SETFD, 0)) {
    $ENV{HOLDFAST_JOURNAL_FD} = fileno($journal);
    exec { $ARGV[0] } @ARGV;
}
exec { $ARGV[0] } @ARGV;
die "$ARGV[0]: $!\n";
