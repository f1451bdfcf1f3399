"""The practice cluster: nodes that answer over real SSH, a package that is really signed, an installer that only acts.

For trying the product out without a machine to install on; everything it shows is labelled PRACTICE.
"""
