#!/usr/bin/env bash
# PRACTICE: stands in for the preprocessing script of the package. It changes nothing.
echo "practice init.sh: nothing is changed on this machine"
