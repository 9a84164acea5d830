"""Loss functions, data and networks; their local geometry; the instruments that measure both."""

import lazy_loader

# What this gives is listed in __init__.pyi, and imported where it is first used.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
