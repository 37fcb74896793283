use paird::postgres::migrate::{MigrateError, migrate};
use paird::postgres::pool::Dsn;
use uuid::Uuid;

use crate::support::{Cluster, Database, connect, eventually};

#[tokio::test]
async fn daemons_that_start_at_once_on_an_empty_database_all_come_up() {
    let database = Database::new().await;
    let name = format!("t{}", Uuid::new_v4().simple());
    let text = database.cluster.server().create_database(&name, None).await.unwrap();
    let dsn = Dsn::parse(&text).unwrap();
    let (one, two, three, four) = tokio::join!(migrate(&dsn), migrate(&dsn), migrate(&dsn), migrate(&dsn));
    for migrated in [one, two, three, four] {
        migrated.unwrap();
    }
    let each_once = "SELECT count(*) > 0 AND count(*) = count(DISTINCT version) FROM refinery_schema_history";
    assert!(connect(&text).await.query_one(each_once, &[]).await.unwrap().get::<_, bool>(0));
}

#[tokio::test]
async fn a_schema_of_a_newer_paird_is_refused_by_name() {
    let database = Database::new().await;
    let sql = "INSERT INTO refinery_schema_history (version, name, applied_on, checksum)
               SELECT 999, 'later', applied_on, '1' FROM refinery_schema_history LIMIT 1";
    database.web.execute(sql, &[]).await.unwrap();
    let wrong = migrate(&database.dsn).await.unwrap_err();
    assert!(matches!(wrong, MigrateError::Newer { found: 999, .. }), "{wrong}");
}

#[tokio::test]
async fn a_database_that_is_not_there_yet_is_waited_for() {
    let cluster = Cluster::private().await;
    let dsn = Dsn::parse(&cluster.server().dsn().replace("dbname=paird", "dbname=later")).unwrap();
    let waiting = tokio::spawn(async move { migrate(&dsn).await });
    cluster.server().create_database("later", None).await.unwrap();
    eventually("the migration ends", async || waiting.is_finished()).await;
    waiting.await.unwrap().unwrap();
}
