"""A GraphQL server for what happens after the sale: refunds, returns, and the parcels between them."""
