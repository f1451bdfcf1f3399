"""The practice cluster: simulated nodes with real SSH, a signed package and a simulated installer.

For trying the product out without a machine to install on; everything it shows is labelled PRACTICE.
"""
