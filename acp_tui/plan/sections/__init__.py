"""The sections of the plan, one module for each subject.

Every field has a default, except the required fields of nodes and waivers. These modules validate each field alone, and
the wizard shows the error message of an invalid field. Each field names its parameter ID (`P-...`). It also names the
requirement (`XR-...`) that an invalid value violates, if such a requirement exists.
"""
