"""Certificates: who claimed which energy, of which slots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from fastapi import APIRouter
from fastapi.responses import Response

from der_client.certificates import CertificateFile, issue
from der_client.index.answers import Certificate
from der_client.web.api.answers import Format, answer_list
from der_client.web.api.documents import page_of_rows
from der_client.web.parameters import Cursor, Id, Limit, OptionalDay, OptionalId, OptionalParty

if TYPE_CHECKING:
    from der_client.index import Index


def add_certificates(router: APIRouter, index: Index) -> None:
    """Add the endpoint of certificates."""

    @router.get(
        "/certificates",
        responses=page_of_rows(Certificate),
        summary="Energy that was claimed by its buyer, or retired by its producer: each Wh once.",
    )
    def certificates(
        beneficiary: OptionalParty = None,
        claimant: OptionalParty = None,
        asset_id: OptionalId = None,
        from_day: OptionalDay = None,
        to_day: OptionalDay = None,
        after: Cursor = None,
        limit: Limit = 100,
        format: Format = "json",  # noqa: A002 - the name of the parameter
    ) -> Response:
        return answer_list(
            lambda count: index.certificates(
                beneficiary=beneficiary,
                claimant=claimant,
                asset_id=asset_id,
                from_day=from_day,
                to_day=to_day,
                after=after,
                limit=count,
            ),
            name="certificates",
            output=format,
            limit=limit,
            cursor=lambda certificate: certificate.event_id,
        )

    @router.get(
        "/certificates/{kind}/{number}",
        responses={200: {"model": CertificateFile}},
        summary="One certificate as EnergyTag bundles: how much of its energy each metering interval produced, with "
        "the proof. `der verify-certificate` checks the file with any node.",
    )
    def certificate(kind: Literal["claim", "retirement"], number: Id) -> Response:
        file = issue(index, index.certificate(kind, number))
        headers = {"content-disposition": f'attachment; filename="{kind}-{number}.json"'}
        return Response(file.to_json(), media_type="application/json", headers=headers)
