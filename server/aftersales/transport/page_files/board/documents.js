// What the board asks. The page and the stream ask the same of a request, so that an event is a whole row.

const ROW = `fragment Row on Request {
  id number version status updatedAt
  kind { handle label }
  stage { handle label final }
  reason { label }
  lines { quantity orderLine { productName variationName } }
  money { maximum { formatted } approved { formatted } }
  shop { name }
  nextDeadline { id label owedBy dueAt onExpiry }
}`;

export const PAGE = `query BoardPage($filter: RequestFilter, $after: Cursor, $first: Int!) {
  requests(filter: $filter, sort: NEXT_DEADLINE, first: $first, after: $after) {
    nodes { ...Row }
    pageInfo { hasNextPage endCursor }
    streamCursor
    totalCount
  }
}
${ROW}`;

export const STREAM = `subscription BoardStream($filter: RequestFilter, $after: Cursor) {
  requestStream(filter: $filter, after: $after) {
    __typename
    ... on StreamReady { cursor serverTime heartbeatSeconds }
    ... on StreamHeartbeat { cursor serverTime }
    ... on StreamReset { cursor reason }
    ... on RequestChanged { cursor event { type } request { ...Row } }
    ... on DeadlineChanged { cursor event { type } request { ...Row } }
    ... on AppealChanged { cursor event { type } request { ...Row } }
    ... on RequestLeft { cursor requestId }
  }
}
${ROW}`;

export const VIEWER = `query BoardViewer {
  me { party id shops { id name } }
}`;

export const DETAIL = `query BoardDetail($by: RequestRef!) {
  request(by: $by) {
    ...Row
    attempt note createdAt closeReason approvedBy returnMethod
    kind { handle label }
    stage { handle label final }
    reason { label }
    tags { label }
    order { id number state }
    lines { id quantity orderLine { id productName variationName unitPaid { formatted } } refundMax { formatted } }
    money {
      maximum { amount currency formatted }
      approved { formatted }
      paid { amount formatted }
      parts { kind amount { formatted } bornBy }
    }
    shipments { id leg method status carrier trackingNumber deliveredAt }
    deadlines { id label owedBy dueAt remainingSeconds status onExpiry }
    availableActions { ...Action }
    disputes { id round status claim availableActions { ...Action } }
    appeal { id version status ground { label } nextDeadline { dueAt } availableActions { ...Action } }
    history(first: 30) {
      nodes { id type rule at by note fromStage { label } toStage { label } }
      pageInfo { hasNextPage }
    }
  }
}
fragment Action on AvailableAction {
  handle label mutation until
  maximumAmount { amount currency formatted }
  reasons { handle label evidenceRequired }
  requiredEvidence
}
${ROW}`;

export const PREVIEW = `query BoardPreview($input: RequestActPreviewInput!) {
  requestActPreview(input: $input) {
    money { approved { formatted } }
    stages { label }
    deadlines { handle owedBy dueAt }
    problems { code message }
  }
}`;
