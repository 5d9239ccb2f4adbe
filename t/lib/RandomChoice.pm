# Choices at random.

package RandomChoice;

use strict;
use warnings;

use Exporter qw(import);

our @EXPORT = qw(chance choose);

# True with this probability.
sub chance { return rand() < $_[0]; }

# One of the arguments.
sub choose { return $_[ int rand @_ ]; }

1;
