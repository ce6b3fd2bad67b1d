"""What each error of the contracts says to a person, and which class of the error tree it is."""

from marketplace.errors import Corrupt, Invalid, MarketplaceError, Refused

WORDING: dict[str, tuple[type[MarketplaceError], str]] = {
    # what an offer, a delivery or an amount may be
    "NotZero": (Invalid, "expected {field:word} to be zero, got something else; leave it out"),
    "OutOfRange": (Invalid, "expected {field:word} between {least} and {most}, got {given}; change it"),
    "SharesNotWhole": (Invalid, "expected shares that sum to 10000 basis points, got {sumBps}; change them"),
    "TokenWithoutCode": (Invalid, "expected a token at {token}, got an address without code; check the address"),
    # datasets
    "DatasetExists": (Refused, "expected a new salt, got that of dataset {dataset}; choose another salt"),
    "UnknownDataset": (Refused, "expected a registered dataset, got {dataset}; register it first"),
    "NotTheProvider": (Refused, "expected the provider of dataset {dataset}, got {caller}; use the provider's key"),
    "WrongVersion": (
        Refused,
        "expected version {current} of dataset {dataset}, got version {named}; read its description again and order anew",
    ),
    "BudgetExceeded": (
        Refused,
        "expected at most {left} micro-rho, which dataset {dataset} has left, got an order for {asked}; "
        "ask for an offer that takes less",
    ),
    "AllowanceExceeded": (
        Refused,
        "expected fewer than {exactTotal} exact orders of dataset {dataset} up to this epoch, got as many; "
        "wait for its next epoch",
    ),
    # offers
    "NotTheLead": (Refused, "expected the offer's lead {lead}, got {caller}; use the lead's key"),
    "NotAMember": (
        Refused,
        "expected the provider of member {member} of offer {offer}, got {caller}; use that provider's key",
    ),
    "LeadIsNotAMember": (Invalid, "expected the lead {lead} to be one of the members' providers; add its dataset"),
    "MembersNotSorted": (
        Invalid,
        "expected members in the order of their datasets' ids, each once, got {dataset} after {before}; sort them",
    ),
    "RoleConflict": (
        Invalid,
        "expected an account with one role in an offer, got {account}, which is its {role:word} too; choose another",
    ),
    "SignatureMissing": (Invalid, "expected a signature of every other provider, got none of {signer}; ask it to sign"),
    "ConsentExpired": (
        Refused,
        "expected a consent for dataset {dataset} that lasts, got one that ended at {until:time}; ask for a new one",
    ),
    "NotStock": (
        Refused,
        "expected a delivery of the same datasets, kind, guarantee, unit and delta for stock, got order {origin}; name another",
    ),
    "WrongStock": (
        Refused,
        "expected the result whose plain root is {stock}, which the offer sells, got {plainRoot}; deliver the stock",
    ),
    "OfferExists": (Refused, "expected a new offer, got {offer}, which is published already; change its terms"),
    "UnknownOffer": (Refused, "expected a published offer, got {offer}; check the offer's id"),
    "OfferIsRetired": (Refused, "expected an offer that is on sale, got {offer}, which is retired; choose another"),
    "OfferExpired": (
        Refused,
        "expected an order by {validUntil:time}, got one after it; choose another offer than {offer}",
    ),
    "WrongOffer": (Invalid, "expected the terms of offer {named}, got those of {given}; read the offer again"),
    "TooManyOpen": (
        Refused,
        "expected fewer than {maxOpen} open orders under offer {offer}, got as many; try again when one has ended",
    ),
    "UnknownMember": (Invalid, "expected a member of offer {offer}, got number {member}; members count from 0"),
    # orders
    "NotTheBuyer": (Refused, "expected the order's buyer {buyer}, got {caller}; use the buyer's key"),
    "OrderExists": (Refused, "expected a new order, got {order}, which is placed already; make a new specification"),
    "PlacedTooLate": (Refused, "expected order {order} to be placed by {placeBy:time}; place it with a later limit"),
    "WrongState": (Refused, "expected order {order} to be {expected:state}, it is {state:state}; read it again"),
    "TooLate": (Refused, "expected this step of order {order} by {deadline:time}; the deadline has passed"),
    "TooEarly": (Refused, "expected this step of order {order} after {deadline:time}; wait until then"),
    "WrongDelivery": (
        Corrupt,
        "expected delivery {recorded}, which the ledger has for order {order}, got {given}; fetch the delivery again",
    ),
    "WrongKey": (
        Corrupt,
        "expected the key of order {order} that hashes to {keyHash}, got another; look for the right one",
    ),
    "WrongSignature": (Corrupt, "expected a signature of {signer}, got another; ask the signer again"),
    "ChunkNotCommitted": (
        Corrupt,
        "expected chunk {index} as the delivery of order {order} commits to it, got other bytes; fetch the delivery again",
    ),
    "ChunkIsRight": (
        Refused,
        "expected a wrong chunk, the key of order {order} opens chunk {index} to its committed hash; complain of another",
    ),
    "NotReleasable": (
        Refused,
        "expected order {order} to be refunded before its delivery, it is {state:state} ({reason:reason}); "
        "its rho stays spent",
    ),
    "AlreadyReleased": (
        Refused,
        "expected rho that is still held, got that of member {member} of order {order}; it is free",
    ),
    "NoArbiter": (Refused, "expected an arbiter for order {order}, its offer names none; it cannot be contested"),
    "NotTheArbiter": (Refused, "expected the offer's arbiter {arbiter}, got {caller}; use the arbiter's key"),
    "PermitNotRevoked": (
        Refused,
        "expected permit {permit} of order {order} to be revoked by the deadline, it was not; wait for the key",
    ),
    "PermitWasRevoked": (
        Refused,
        "expected permit {permit} of order {order} to stand, it was revoked by the deadline; refund the order instead",
    ),
    # permits
    "PermitTermOutOfRange": (
        Invalid,
        "expected a permit's term to end after {from:time} and at most {longest} seconds later, got {to:time}; change it",
    ),
    "SubjectsOutOfRange": (
        Invalid,
        "expected a permit for {least} to {most} offers or datasets, got {given}; grant several permits",
    ),
    "PermitExists": (Refused, "expected a new permit, got {permit}, which is granted already; name another document"),
    "UnknownPermit": (Refused, "expected a granted permit, got {permit}; check its id"),
    "NotTheAuthority": (
        Refused,
        "expected permit {permit} to be of {caller}, it is of {authority}; use that authority's",
    ),
    "PermitAlreadyExtended": (Refused, "expected a permit whose end was never moved, got {permit}; grant a new one"),
    "PermitAlreadyRevoked": (
        Refused,
        "expected a permit that stands, got {permit}, revoked at {revokedAt:time}; grant a new one",
    ),
    "NotTheHolder": (Refused, "expected permit {permit} to be held by {account}, it is held by {holder}; use another"),
    "WrongPurpose": (
        Refused,
        "expected a permit for one of the offer's purposes, got {permit}, which is for purpose {purpose}; use another",
    ),
    "NotPermitted": (
        Refused,
        "expected permit {permit} to be for the offer or all of its datasets, it is not for {subject}; use another",
    ),
    "PermitNotLive": (
        Refused,
        "expected a permit that is live now, got {permit} from {from:time} to {to:time}, which is not; ask its authority",
    ),
    "PermitEndsTooEarly": (
        Refused,
        "expected permit {permit} to last until {needed:time}, when the key is due, it ends at {to:time}; "
        "ask its authority to extend it",
    ),
    # licences
    "NotLicensed": (Refused, "expected a live licence, got that of order {order}; read the order again"),
    "UserIsNamed": (Refused, "expected a further user, got {user}, who has the licence of order {order} already"),
    "TooManyUsers": (Refused, "expected at most {most} further users of order {order}, got one more; order again"),
    "AlreadyShown": (
        Refused,
        "expected a licence that no wallet shows, got that of order {order}; look into the wallet",
    ),
    "NotTransferable": (Refused, "expected a licence to stay with its buyer; nobody can transfer one"),
    # money
    "InsufficientCredit": (
        Refused,
        "expected a credit of {asked:euro} for {account}, got {credit:euro}; stake the difference in token {token}",
    ),
    "InexactTransfer": (
        Refused,
        "expected {expected:euro} to arrive, got {received:euro}; token {token} takes a part and cannot be used here",
    ),
    "NothingToWithdraw": (Refused, "expected something to withdraw, got nothing; wait until more has accrued"),
    "SafeERC20FailedOperation": (
        Refused,
        "expected token {token} to move the amount, it did not; check balance and approval",
    ),
    "ERC20InsufficientBalance": (
        Refused,
        "expected a balance of {needed:euro} at {sender}, got {balance:euro}; get more of the token first",
    ),
    "ERC20InsufficientAllowance": (
        Refused,
        "expected an approval of {needed:euro} for {spender}, got {allowance:euro}; approve the amount first",
    ),
    "ERC20InvalidApprover": (Invalid, "expected an account that can approve, got {approver}; check the address"),
    "ERC20InvalidReceiver": (Invalid, "expected an account that can receive, got {receiver}; check the address"),
    "ERC20InvalidSender": (Invalid, "expected an account that can send, got {sender}; check the address"),
    "ERC20InvalidSpender": (Invalid, "expected an account that can spend, got {spender}; check the address"),
    # payments by signature
    "ERC2612ExpiredSignature": (
        Refused,
        "expected a signed approval used by {deadline:time}, got it later; sign a new one",
    ),
    "ERC2612InvalidSigner": (Corrupt, "expected an approval signed by {owner}, got one by {signer}; sign it again"),
    "ERC3009InvalidAuthorizationTime": (
        Refused,
        "expected an authorization used after {validAfter:time} and before {validBefore:time}; sign a new one",
    ),
    "ERC3009InvalidSignature": (Corrupt, "expected an authorization signed by its payer, got another; sign it again"),
    "ERC3009UsedAuthorization": (
        Refused,
        "expected a fresh authorization of {authorizer}, got {nonce}, used already; sign anew",
    ),
    "InvalidAccountNonce": (
        Refused,
        "expected a signed approval with number {currentNonce} of {account}, got another; sign it again",
    ),
    "ECDSAInvalidSignature": (Corrupt, "expected a signature, got bytes that no account can have made; sign again"),
    "ECDSAInvalidSignatureLength": (Corrupt, "expected a signature of 65 bytes, got {length}; sign again"),
    "ECDSAInvalidSignatureS": (Corrupt, "expected a signature with the lower s, got {s}; sign again"),
    # what the contracts guard against and no call of this program should meet
    "ReentrancyGuardReentrantCall": (
        Refused,
        "expected no call from within another, got one; the token cannot be used here",
    ),
    "AddressEmptyCode": (Refused, "expected a contract at {target}, got an address without code; check the address"),
    "FailedCall": (Refused, "expected the contract to agree, it gave no reason; report the contract's address"),
    "SafeCastOverflowedUintDowncast": (
        Invalid,
        "expected a number of at most {bits} bits, got {value}; give a smaller one",
    ),
    "InvalidShortString": (
        Refused,
        "expected a short text in the contract, got another; report the contract's address",
    ),
    "StringTooLong": (Refused, "expected a text of at most 31 bytes in the contract; report the contract's address"),
}
