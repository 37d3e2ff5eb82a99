"""Several classifiers of the same classes as one, whose logits are the mean of theirs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from models.cards.ensemble_card import build_ensemble_card
from models.cards.metadata import Value
from models.classifiers.base_classifier import BaseClassifier, Depth, Floats, LayerActivations
from models.classifiers.ensemble_members import EnsembleMember, MemberLayer, ensemble_layers, name_ensemble_members
from models.classifiers.score import Score
from models.graph.engine.choice import InferenceEngine, InferenceEngineState


class EnsembleClassifier(BaseClassifier[MemberLayer]):
    """z = mean over members of z_i / T_i, with T_i the temperature on each member's card.

    Pictures are fitted to the size of the largest member as its card says, then resized for the other members; each member applies
    its own scaling and colour order. Masks are shared: they hide the same part of the picture from every member.
    """

    def __init__(self, name: str, classifiers: Sequence[BaseClassifier[Any]]) -> None:
        """UserError where the members are not classifiers of the same classes."""
        card = build_ensemble_card(name, [each.card for each in classifiers])
        self.members = name_ensemble_members(classifiers, card.size)
        self.forward_only = any(each.forward_only for each in classifiers)
        self.logits_from_probabilities = any(each.logits_from_probabilities for each in classifiers)
        super().__init__(card, ensemble_layers(self.members))

    @property
    def traces(self) -> int:
        """How often the most traced function of any member has been traced."""
        return max(int(each.classifier.traces) for each in self.members)

    @property
    def metadata(self) -> dict[str, Value]:
        """The members' metadata together."""
        return {name: value for each in self.members for name, value in each.classifier.metadata.items()}

    @property
    def engine(self) -> InferenceEngineState:
        """The members' own where they share one; else that of the first without OpenVINO, and all of them in the remark."""
        states: list[InferenceEngineState] = [each.classifier.engine for each in self.members]
        if len({state.engine for state in states}) == 1:
            return states[0]
        state = next(state for state in states if state.engine is not InferenceEngine.OPENVINO)
        remarks = [f"{each.name}: {each.classifier.engine.engine.label}" for each in self.members]
        return replace(state, remark=f"{'; '.join(remarks)}. {state.remark}".strip())

    def with_engine(self, choice: InferenceEngine) -> "EnsembleClassifier":
        """Each member by itself."""
        return self._of([each.classifier.with_engine(choice) for each in self.members])

    def close(self) -> None:
        """Ends the members' processes, where they have some."""
        for each in self.members:
            each.classifier.close()

    def _with_metadata(self, values: Mapping[str, Value]) -> "EnsembleClassifier":
        """Each member gets the fields of its own card."""

        def own(classifier: BaseClassifier[Any]) -> BaseClassifier[Any]:
            names = {field.name for field in classifier.card.metadata}
            return classifier.with_metadata({name: value for name, value in values.items() if name in names})

        return self._of([own(each.classifier) for each in self.members])

    def _outputs(self, images: Floats) -> Floats:
        return self._mean(lambda each: each.classifier.outputs(each.resize_batch(images)))

    def _masked(self, image: Floats, masks: Floats, fill: Floats) -> Floats:
        """Each member upscales the masks to its own size."""
        return self._mean(lambda each: each.classifier.masked(each.resize(image), masks, each.resize(fill)))

    def _gradients(self, images: Floats, score: Score) -> Floats:
        return self._pullback(images, self._logit_weights(images, score))

    def _pullback(self, images: Floats, weights: Floats) -> Floats:
        pulled = (
            each.resize_transposed(each.classifier.pullback(each.resize_batch(images), self._share(each) * weights))
            for each in self.members
        )
        return np.asarray(sum(pulled), np.float32)

    def features(self, image: Floats, layers: Sequence[MemberLayer], score: Score) -> tuple[LayerActivations, ...]:
        """(H, W, 3) -> each layer's maps and the ensemble's score's gradients. UserError without a layer."""
        self._with_a_layer(layers)
        weights = self._logit_weights(self._check_images(image[None]), score)[0]
        found: dict[str, LayerActivations] = {}
        for number, each in enumerate(self.members):
            asked = [layer for layer in layers if layer.member == number]
            if asked:
                own = [each.classifier.layer(layer.own) for layer in asked]
                answers = each.classifier.feature_pullback(each.resize(image), own, self._share(each) * weights)
                found |= {layer.name: replace(answer, layer=layer.name) for layer, answer in zip(asked, answers, strict=True)}
        return tuple(found[layer.name] for layer in layers)

    def randomised(self, depth: Depth, seed: int) -> "EnsembleClassifier":
        """The same ensemble with every member's weights re-initialised, each with its own seed. UserError where one has no variables."""
        return self._of([each.classifier.randomised(depth, seed + number) for number, each in enumerate(self.members)])

    def _of(self, classifiers: Sequence[BaseClassifier[Any]]) -> "EnsembleClassifier":
        made = EnsembleClassifier(self.card.name, classifiers)
        made.card = self.card
        return made

    def _share(self, member: EnsembleMember) -> np.float32:
        return np.float32(1 / (len(self.members) * member.classifier.card.temperature))

    def _mean(self, answer: Callable[[EnsembleMember], Floats]) -> Floats:
        return np.asarray(sum(self._share(each) * answer(each) for each in self.members))

    def _logit_weights(self, images: Floats, score: Score) -> Floats:
        """(n or 1, classes): d score / d logits, per picture where it depends on the picture."""
        weights = self._weights(score)[None]
        if score.kind != "probability":
            return weights
        p = self.probabilities(self.outputs(images))
        if self.card.head in ("sigmoid", "multi-label"):
            return np.asarray(weights * p * (1 - p), np.float32)
        return np.asarray(p * (weights - (p * weights).sum(axis=1, keepdims=True)), np.float32)
