"""Settings that several methods take: as what they are read, and the one line that says what each means."""

from typing import Annotated, Any

Momentum = Annotated[float | Any, "Momentum in [0, 1)."]
StrongConvexity = Annotated[float | Any, "Constant m of strong convexity of the loss."]
Beta2 = Annotated[float | Any, "Decay in [0, 1) of the average of squared gradients."]
Epsilon = Annotated[float | Any, "What is added to the root of the squared gradients."]
BiasCorrection = Annotated[bool, "Whether the start of averages at 0 is corrected."]
