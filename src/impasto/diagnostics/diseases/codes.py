"""Diseases of autoencoders: codes that say nothing, and decoders that do not listen."""

from impasto.diagnostics.case import Case
from impasto.diagnostics.finding import Finding

OFTEN = 0.3  # of the budget; before it, a warm-up may still hold the divergence back


def posterior_collapse(case: Case) -> Finding | None:
    """Codes say nothing of their pictures."""
    told = case.recents("active_latents", "divergence_a_latent")
    if case.now.fraction < OFTEN or not told["active_latents"] < 0.03:
        return None
    return Finding(
        name="posterior collapse",
        severity="alarm",
        symptom="hardly any latent says anything of its picture, so that all reconstructions are alike",
        evidence=told,
        cause="Early on, when the decoder could do nothing with them yet, codes were cheaper empty than full.",
        remedy="Give the divergence more time to come in, and every latent some of it free",
        settings=("family.warm_up=0.5", *case.facts.settings("free codes")),
        lever="free codes",
    )


def dead_latents(case: Case) -> Finding | None:
    """Most of the latents are not in use."""
    told = case.recents("active_latents", "divergence_a_latent")
    if case.now.fraction < OFTEN or not 0.03 <= told["active_latents"] < 0.25:
        return None
    return Finding(
        name="dead latents",
        severity="warning",
        symptom=f"{1 - told['active_latents']:.0%} of the latents are the same for every picture",
        evidence=told,
        cause="There are more latents than the pictures, or the training so far, can fill.",
        remedy="Take fewer (family.latents), train longer, or let each have some divergence free",
        settings=case.facts.settings("free codes"),
    )


def blurred_decoder(case: Case) -> Finding | None:
    """What comes back has lost its detail."""
    told = case.recents("sharpness", "trained_error")
    if case.now.fraction < 0.8 or not told["sharpness"] < 0.35:
        return None
    return Finding(
        name="blurred decoder",
        severity="warning",
        symptom=f"reconstructions keep {told['sharpness']:.0%} of the detail of their pictures",
        evidence=told,
        cause="Where a pixel is not sure, its mean has the smallest error, and means of edges are blurs.",
        remedy="Train longer, with more latents or a wider network, or take the family that is made for sharpness "
        "(sharp_vae)",
        settings=("family.latents=256",),
    )


def prior_mismatch(case: Case) -> Finding | None:
    """Codes do not lie where the divergence wants them."""
    told = case.recents("prior_mismatch", "active_latents")
    if case.now.fraction < OFTEN or not told["prior_mismatch"] > 1.0:
        return None
    return Finding(
        name="prior mismatch",
        severity="warning",
        symptom="codes of pictures are not spread as a standard normal distribution is",
        evidence=told,
        cause="Reconstruction outweighs the divergence, as it does with free nats, or early in the warm-up.",
        remedy="Draw from the prior that is fitted to the codes, as impasto sample does, and not from noise; fewer "
        "free nats help too",
    )


def autoencoder_overfits(case: Case) -> Finding | None:
    """Pictures that it trained on come back much better than others."""
    told = case.recents("trained_error", "held_out_error")
    if not told["held_out_error"] > 1.6 * told["trained_error"]:
        return None
    return Finding(
        name="autoencoder overfits",
        severity="warning",
        symptom="pictures that it trained on come back with much less error than others of the same kind",
        evidence=told,
        cause="There are too few pictures for a network of this size, and it sees them too often.",
        remedy="Give more pictures, vary them (data.flip=true, data.crop=random), take fewer latents, add noise "
        "(family.noise), or stop earlier",
    )
