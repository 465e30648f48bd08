"""Floating-point operations of encoding and of training, a multiplication and an addition being two.

For n tokens through linear layers of W weights, forward: 2 n W (Kaplan et al. 2020, arXiv:2001.08361,
section 2.1). Attention of width A = heads x head width takes 2 A for the product of a query and a key it
sees, and 2 A for the value, in each layer. Backward is twice forward: once for the gradient of the inputs,
once for that of the weights; a frozen layer needs the first alone. So with p pairs of a query and a key it
sees, a answer tokens, R weights of LoRA, an output layer of H x V weights, and N image tokens:

    part               forward     backward         source
    decoder, frozen    2 n W       2 n W            Kaplan et al.; no gradient of W
    LoRA               2 n R       2 n R + 2 n R    Hu et al. 2021, arXiv:2106.09685: R = r (inputs + outputs)
    attention          4 p L A     8 p L A          two products, each with two inputs to derive by
    output layer       2 a H V     2 a H V          only where an answer token is; frozen
    projector          2 N P       2 N P            P weights; the features need no gradient

Gradient checkpointing computes the decoder's, LoRA's and attention's forward once more (Chen et al. 2016,
arXiv:1604.06174); torch leaves out each layer's last product, which is counted here all the same: a LLaMA's
down_proj, for a 7B model 7 % of the sum. The encoder is a plain transformer, run forward only, with attention
between all T tokens: 2 T W + 4 T T L A + 2 x patches x the weights of the patch embedding.

Norms, activations, softmax, rotary embeddings, padding and the optimiser are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # it counts with torch, and this only computes
    from pefomed.models.shapes import Shapes


def encoding(shapes: Shapes) -> int:
    """Return the operations of encoding one image."""
    tokens = shapes.vision_tokens
    attention = 4 * tokens**2 * shapes.vision_layers * shapes.vision_width
    return 2 * tokens * shapes.vision_linear + attention + 2 * shapes.patches * shapes.patch_embedding


def training(
    shapes: Shapes,
    *,
    tokens: float,
    pairs: float,
    answers: float,
    image_tokens: float,
    checkpointing: bool = False,
    lora: bool = True,
    projector: bool = True,
) -> float:
    """Return the operations of training on rows of features that are there already.

    Args:
        tokens: of the rows, image tokens included.
        pairs: of a query and a key it sees, see `pairs_of_row`.
        answers: tokens with a loss.
        checkpointing: layers are computed again in the backward pass.
        lora, projector: whether the stage trains them.
    """
    attention = pairs * shapes.decoder_layers * shapes.decoder_width
    layers = 2 * tokens * (shapes.decoder_linear + shapes.lora) + 4 * attention
    backward = 2 * tokens * (shapes.decoder_linear + (1 + lora) * shapes.lora) + 8 * attention
    head = 4 * answers * shapes.head
    projected = 2 * (1 + projector) * image_tokens * shapes.projector
    return (1 + checkpointing) * layers + backward + head + projected


def pairs_of_row(prefix: float, texts: float, text: float) -> float:
    """Return the pairs of a query and a key it sees, itself included, in one row.

    The image tokens (`prefix`) see those before them; each of `texts` samples, `text` tokens long, sees the
    image and itself but not the others: p (p + 1) / 2 + texts (p t + t (t + 1) / 2).
    """
    return prefix * (prefix + 1) / 2 + texts * (prefix * text + text * (text + 1) / 2)
