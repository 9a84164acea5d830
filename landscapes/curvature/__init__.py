"""The Hessian of a loss: products, eigenpairs, where their search starts, minimizers."""
