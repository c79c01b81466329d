"""`python -m secmigrate`."""

from secmigrate.cli import main

main()
