"""`python -m rcn_keras`: the command line, where the script is not installed."""

import sys

from rcn_keras_launcher import main

sys.exit(main())
