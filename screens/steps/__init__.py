"""The steps of the wizard. The module `order` defines their order."""
