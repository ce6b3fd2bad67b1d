"""Attempts at what was done already, belongs to something else, or is beyond a limit that counts."""

from dataclasses import replace

from marketplace.errors import Corrupt, Invalid, Refused
from marketplace.ledger.signatures import sign_delivery
from marketplace.protocol.identity import NOBODY, DeliveryHash, PermitId
from marketplace.protocol.offer import Offer
from marketplace.protocol.order import Order
from marketplace.protocol.permit import Grant
from marketplace.sealing.chunk import crypt, leaf_hash, plain_hash
from marketplace.sealing.tree import node_hash
from tests.ledger.attempts import Attempt, Attempts
from tests.ledger.world import COMPLAINT, HOUR_S, KEY, PURPOSE, World

TRIED = Attempts()
refused = TRIED.refused


# ------------------------------------------------------------------------------------------------------ datasets, offers


@refused(Refused, "DatasetExists")
def a_salt_used_twice(world: World) -> Attempt:
    hashes = (world.fresh(), world.fresh(), world.fresh())
    world.ledger.register(world.provider, *hashes, 1)
    return lambda: world.ledger.register(world.provider, *hashes, 1)


@refused(Refused, "OfferExists")
def an_offer_published_twice(world: World) -> Attempt:
    offer = world.offer()
    return lambda: world.ledger.publish(world.provider, offer.head, offer.members)


@refused(Refused, "OfferExists")
def consents_replayed_after_the_offer_was_retired(world: World) -> Attempt:
    head, members = world.head(), world.pool()
    consents = world.consents(head, members)
    offer, _ = world.ledger.publish(world.provider, head, members, consents)
    index = [member.provider for member in members].index(world.partner.address)
    world.ledger.retire(world.partner, offer, index)
    return lambda: world.ledger.publish(world.provider, head, members, consents)


@refused(Refused, "OfferIsRetired")
def an_order_on_a_retired_offer(world: World) -> Attempt:
    offer = world.offer()
    world.ledger.retire(world.provider, offer)
    return lambda: world.place(offer)


@refused(Refused, "UnknownOffer")
def an_offer_that_nobody_published_retired(world: World) -> Attempt:
    offer = _dearer(world.offer())
    return lambda: world.ledger.retire(world.provider, offer)


@refused(Invalid, "WrongOffer")
def an_order_placed_with_other_terms(world: World) -> Attempt:
    offer = world.offer()
    order = world.order(offer)
    return lambda: world.ledger.place(world.buyer, _dearer(offer), order)


@refused(Refused, "TooManyOpen")
def one_order_more_than_the_offer_allows(world: World) -> Attempt:
    offer = world.offer(max_open=1)
    world.place(offer)
    return lambda: world.place(offer)


@refused(Refused, "WrongVersion")
def an_order_for_a_version_that_was_revised(world: World) -> Attempt:
    offer = world.offer()
    world.ledger.revise(world.provider, offer.members[0].dataset, world.fresh(), world.fresh())
    return lambda: world.place(offer)


@refused(Invalid, "UnknownMember")
def a_payout_to_a_member_that_there_is_not(world: World) -> Attempt:
    offer = world.offer()
    return lambda: world.ledger.withdraw_payout(world.provider, offer, 1)


@refused(Invalid, "LeadIsNotAMember")
def a_lead_without_a_dataset_in_its_pool(world: World) -> Attempt:
    members = [member for member in world.pool() if member.provider == world.partner.address]
    whole = [replace(member, share_bps=10_000) for member in members]
    head = world.head()
    consents = world.consents(head, whole)
    return lambda: world.ledger.publish(world.provider, head, whole, consents)


@refused(Invalid, "RoleConflict")
def an_arbiter_that_buys(world: World) -> Attempt:
    offer = world.publish(world.arbitrated(arbiter=world.buyer.address), [world.member(world.dataset())])
    return lambda: world.place(offer)


@refused(Invalid, "NotZero")
def stock_published_as_a_new_result(world: World) -> Attempt:
    head, member = world.head(stock=world.fresh()), replace(world.member(world.dataset()), rho_micro=0)
    return lambda: world.ledger.publish(world.provider, head, [member])


# ---------------------------------------------------------------------------------------------------- amounts and numbers


@refused(Invalid, "OutOfRange")
def a_deposit_of_two_to_the_96(world: World) -> Attempt:
    head, member = world.arbitrated(contest_deposit_units=2**96), world.member(world.dataset())
    return lambda: world.ledger.publish(world.provider, head, [member])


@refused(Invalid, "OutOfRange")
def a_compute_fee_above_a_tenth(world: World) -> Attempt:
    head, member = world.head(compute_fee_bps=1_001), world.member(world.dataset())
    return lambda: world.ledger.publish(world.provider, head, [member])


@refused(Invalid, "OutOfRange")
def an_offer_that_gives_no_rho(world: World) -> Attempt:
    member = world.member(world.dataset(), rho_micro=0)
    return lambda: world.ledger.publish(world.provider, world.head(), [member])


@refused(Invalid, "OutOfRange")
def a_delivery_of_nothing(world: World) -> Attempt:
    offer = world.offer()
    order = world.place(offer)
    return lambda: world.deliver(offer, order, replace(world.delivery(), count=0))


@refused(Refused, "ERC20InsufficientAllowance")
def a_stake_that_was_not_approved(world: World) -> Attempt:
    return lambda: world.ledger.stake(world.stranger, world.token, 1)


@refused(Invalid, "ERC20InvalidReceiver")
def money_for_nobody(world: World) -> Attempt:
    return lambda: world.ledger.mint(world.provider, world.token, NOBODY, 1)


# --------------------------------------------------------------------------------------------------- deliveries and keys


@refused(Corrupt, "WrongDelivery")
def an_acceptance_of_another_delivery(world: World) -> Attempt:
    offer = world.offer()
    order = world.place(offer)
    world.deliver(offer, order)
    return lambda: world.ledger.accept(world.buyer, offer, order, DeliveryHash(world.fresh()))


@refused(Corrupt, "WrongKey")
def a_key_that_was_not_promised(world: World) -> Attempt:
    offer, order, delivery = world.reach_accepted()
    return lambda: world.ledger.reveal(world.provider, offer, order, delivery, world.fresh())


@refused(Invalid, "SignatureMissing")
def a_delivery_that_a_member_did_not_sign(world: World) -> Attempt:
    offer = world.publish(world.head(), world.pool())
    order, delivery = world.place(offer), world.delivery()
    return lambda: world.ledger.deliver(world.provider, offer, order, delivery, [])


@refused(Corrupt, "WrongSignature")
def a_delivery_signed_for_a_foreign_contract(world: World) -> Attempt:
    offer = world.publish(world.head(), world.pool())
    order, delivery = world.place(offer), world.delivery()
    foreign = replace(world.ledger.domain, contract=world.token)
    signature = sign_delivery(world.partner, foreign, world.id(order), delivery)
    return lambda: world.ledger.deliver(world.provider, offer, order, delivery, [signature])


@refused(Refused, "ChunkIsRight")
def a_complaint_about_a_right_chunk(world: World) -> Attempt:
    text = world.fresh() * 32
    complaint = replace(COMPLAINT, plain_hash=plain_hash(0, text), cipher=crypt(0, [text], KEY)[0])
    root = node_hash(leaf_hash(0, complaint.plain_hash + complaint.cipher), complaint.path[0])
    offer = world.offer()
    order = world.place(offer)
    delivery = world.deliver(offer, order, replace(world.delivery(), commitment_root=root))
    world.ledger.accept(world.buyer, offer, order, world.hash(order, delivery))
    world.ledger.reveal(world.provider, offer, order, delivery, KEY)
    return lambda: world.ledger.complain(world.buyer, offer, order, delivery, complaint)


@refused(Refused, "AlreadyReleased")
def rho_released_twice(world: World) -> Attempt:
    offer = world.offer()
    order = world.place(offer)
    world.ledger.decline(world.provider, offer, order)
    world.ledger.release(world.provider, offer, order)
    return lambda: world.ledger.release(world.provider, offer, order)


@refused(Refused, "NotTheProvider")
def rho_released_by_another(world: World) -> Attempt:
    offer = world.offer()
    order = world.place(offer)
    world.ledger.decline(world.provider, offer, order)
    return lambda: world.ledger.release(world.partner, offer, order)


# ------------------------------------------------------------------------------------------------------ permits, licences


@refused(Refused, "PermitNotRevoked")
def a_refund_of_an_accepted_order_whose_permit_stands(world: World) -> Attempt:
    offer, order, _ = _permitted(world)
    return lambda: world.ledger.refund(world.buyer, offer, order)


@refused(Refused, "PermitWasRevoked")
def a_forfeit_where_the_permit_was_revoked(world: World) -> Attempt:
    offer, order, permit = _permitted(world)
    world.ledger.revoke(world.authority, permit, world.fresh())
    world.pass_time(HOUR_S + 2)
    return lambda: world.ledger.forfeit(world.buyer, offer, order)


@refused(Invalid, "SubjectsOutOfRange")
def a_permit_for_nothing(world: World) -> Attempt:
    return lambda: world.grant()


@refused(Invalid, "SubjectsOutOfRange")
def a_permit_for_65_offers(world: World) -> Attempt:
    return lambda: world.grant(*(world.fresh() for _ in range(65)))


@refused(Refused, "PermitExists")
def a_permit_granted_twice(world: World) -> Attempt:
    grant = Grant(world.buyer.address, PURPOSE, 1, 2, world.fresh(), (world.fresh(),))
    world.ledger.grant(world.authority, grant)
    return lambda: world.ledger.grant(world.authority, grant)


@refused(Refused, "PermitAlreadyExtended")
def a_permit_extended_twice(world: World) -> Attempt:
    permit, to_s = world.grant(world.fresh()), world.ledger.now_s() + 20_000 * HOUR_S
    world.ledger.extend(world.authority, permit, to_s, world.fresh())
    return lambda: world.ledger.extend(world.authority, permit, to_s + 1, world.fresh())


@refused(Refused, "PermitAlreadyRevoked")
def a_permit_extended_after_its_end_was_declared(world: World) -> Attempt:
    permit, to_s = world.grant(world.fresh()), world.ledger.now_s() + 20_000 * HOUR_S
    world.ledger.revoke(world.authority, permit, world.fresh())
    return lambda: world.ledger.extend(world.authority, permit, to_s, world.fresh())


@refused(Invalid, "OutOfRange")
def a_permit_where_none_is_asked_for(world: World) -> Attempt:
    offer = world.offer()
    permit = world.grant(offer.id, purpose=PURPOSE)
    return lambda: world.place(offer, permit)


@refused(Refused, "NotLicensed")
def a_user_of_what_has_no_key_yet(world: World) -> Attempt:
    offer, order, _ = world.reach_accepted()
    return lambda: world.ledger.name_user(world.buyer, offer, order, world.stranger.address)


@refused(Refused, "UserIsNamed")
def a_user_named_twice(world: World) -> Attempt:
    offer, order, _ = world.reach_revealed()
    world.ledger.name_user(world.buyer, offer, order, world.stranger.address)
    return lambda: world.ledger.name_user(world.buyer, offer, order, world.stranger.address)


@refused(Refused, "TooManyUsers")
def a_ninth_user(world: World) -> Attempt:
    offer, order, _ = world.reach_revealed()
    people = (world.provider, world.partner, world.stranger, world.authority, world.arbiter)
    users = [
        *(person.address for person in people),
        world.token,
        world.ledger.places.permits,
        world.ledger.places.checks,
    ]
    for user in users:
        world.ledger.name_user(world.buyer, offer, order, user)
    return lambda: world.ledger.name_user(world.buyer, offer, order, world.ledger.places.licences)


@refused(Refused, "AlreadyShown")
def a_licence_shown_twice(world: World) -> Attempt:
    offer, order, _ = world.reach_revealed()
    world.ledger.show_licence(world.stranger, offer, order)
    return lambda: world.ledger.show_licence(world.stranger, offer, order)


def _dearer(offer: Offer) -> Offer:
    return replace(offer, head=replace(offer.head, margin_units=offer.head.margin_units + 1))


def _permitted(world: World) -> tuple[Offer, Order, PermitId]:
    offer = world.publish(world.permitted(), world.pool())
    permit = world.grant(offer.id)
    _, order, _ = world.reach_accepted(offer, permit)
    return offer, order, permit
